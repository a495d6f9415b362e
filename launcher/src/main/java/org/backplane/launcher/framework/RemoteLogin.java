package org.backplane.launcher.framework;

import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.backplane.launcher.option.SshPlan;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;

/**
 * What the framework is told of the logins that were asked for: docs/launcher.md.
 *
 * @param hostKey file of the key by which clients know this host; made if absent
 */
public record RemoteLogin(SshPlan plan, Path hostKey) {
    private static final String PREFIX = "org.backplane.remote.";

    void configure(Map<String, Object> configuration) {
        configuration.put(PREFIX + "address", plan.address().host());
        configuration.put(PREFIX + "port", Integer.toString(plan.address().port()));
        configuration.put(PREFIX + "keys", plan.keys().toString());
        configuration.put(PREFIX + "host.key", hostKey.toString());
    }

    /**
     * @param told given the address and port that are listened at, and the host key's fingerprint
     */
    void offer(BundleContext context, Consumer<String> told) {
        context.registerService(
                Consumer.class, told, FrameworkUtil.asDictionary(Map.of(PREFIX + "opened", true)));
    }
}
