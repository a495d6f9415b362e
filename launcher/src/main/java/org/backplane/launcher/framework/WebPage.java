package org.backplane.launcher.framework;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.function.Consumer;
import org.backplane.launcher.option.ListenAddress;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/** What the framework is told of the web page that was asked for: docs/launcher.md. */
record WebPage(ListenAddress address) {
    /**
     * The packages of slf4j, which the server and the console log with: of the launcher's class
     * path, as version 1 and 2.
     */
    private static final String LOGGING =
            "org.slf4j;version=2.0.17,org.slf4j.event;version=2.0.17,org.slf4j.helpers;version=2.0.17,"
                    + "org.slf4j.spi;version=2.0.17,org.slf4j;version=1.7.36";

    private static final int HASH_BYTES = 32;

    void configure(Map<String, Object> configuration) {
        configuration.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, LOGGING);
        configuration.put("org.apache.felix.http.host", address.host());
        configuration.put("org.osgi.service.http.port", Integer.toString(address.port()));
        configuration.put("org.apache.felix.http.jetty.sendServerHeader", "false");
        // Without the guard of bundle web the console is not served: its own takes a password that
        // everybody knows. Should it ever be asked all the same, that password is the hash of
        // nothing that anybody knows.
        configuration.put("felix.webconsole.security.providers", "org.backplane.web");
        byte[] hash = new byte[HASH_BYTES];
        new SecureRandom().nextBytes(hash);
        configuration.put(
                "felix.webconsole.password",
                "{sha-256}" + Base64.getEncoder().encodeToString(hash));
    }

    /**
     * @param told given the address that opens the page, its token included
     */
    void offer(BundleContext context, Consumer<String> told) {
        context.registerService(
                Consumer.class,
                told,
                FrameworkUtil.asDictionary(Map.of("org.backplane.web.address", true)));
    }

    /** What an operator should know before it is too late; empty if nothing. */
    String warning() {
        return address.loopback()
                ? ""
                : "warning: the web page at %s is open to the network and not encrypted: whoever reads the traffic reads its token. An SSH tunnel to 127.0.0.1 is safer."
                        .formatted(address.host());
    }
}
