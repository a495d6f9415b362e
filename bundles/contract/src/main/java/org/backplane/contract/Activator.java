package org.backplane.contract;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.backplane.device.DeviceFactory;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;

/**
 * Offers the contract to who starts the framework and shares no class with it: a service of JDK
 * types only, a {@link BiFunction} with the property {@value #PROPERTY}. It takes a map with {@code
 * kind} (String), {@code factory} (the service of the device bundle), {@code settings} (Map) and
 * {@code begun} (a consumer of the name of each clause before it is judged), and a consumer of
 * verdicts, each a list of outcome, clause and sentence. It returns the number of faults.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    /** Service property; its value is true. */
    static final String PROPERTY = "org.backplane.contract";

    @Override
    public void start(BundleContext context) {
        BiFunction<Map<String, Object>, Consumer<List<String>>, Integer> judging = Activator::judge;
        context.registerService(
                BiFunction.class, judging, FrameworkUtil.asDictionary(Map.of(PROPERTY, true)));
    }

    @Override
    public void stop(BundleContext context) {
        // Nothing is held besides the service.
    }

    private static int judge(Map<String, Object> request, Consumer<List<String>> told) {
        Subject subject =
                new Subject(
                        (String) request.get("kind"),
                        (DeviceFactory) request.get("factory"),
                        settings((Map<?, ?>) request.get("settings")),
                        List.of());
        Consumer<Object> begun = begun((Consumer<?>) request.get("begun"));
        Contract contract = new Contract(subject);
        int faults = 0;
        for (String clause : Contract.clauses()) {
            begun.accept(clause);
            Verdict verdict = contract.judge(clause);
            told.accept(List.of(verdict.outcome().name(), verdict.clause(), verdict.sentence()));
            faults += verdict.outcome() == Verdict.Outcome.KEPT ? 0 : 1;
        }
        return faults;
    }

    @SuppressWarnings("unchecked")
    private static Consumer<Object> begun(Consumer<?> given) {
        return (Consumer<Object>) given;
    }

    private static Map<String, String> settings(Map<?, ?> given) {
        Map<String, String> settings = new HashMap<>();
        given.forEach((name, value) -> settings.put((String) name, (String) value));
        return settings;
    }
}
