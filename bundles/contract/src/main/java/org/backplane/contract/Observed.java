package org.backplane.contract;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.LinkedHashSet;
import java.util.Set;
import org.backplane.device.Device;
import org.backplane.device.state.SaveSupport;

/** A device whose every call is noted in {@link Calls}; it has the contracts of the device. */
final class Observed {
    private final Device device;
    private final Calls calls;

    private Observed(Device device, Calls calls) {
        this.device = device;
        this.calls = calls;
    }

    static Device device(Device device, Calls calls) {
        Observed observed = new Observed(device, calls);
        return (Device)
                Proxy.newProxyInstance(
                        Observed.class.getClassLoader(),
                        contracts(device.getClass()).toArray(Class<?>[]::new),
                        (proxy, method, arguments) -> observed.invoke(method, arguments));
    }

    /** The board's interfaces; a bundle's own are none of the contract. */
    private static Set<Class<?>> contracts(Class<?> type) {
        Set<Class<?>> contracts = new LinkedHashSet<>();
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            for (Class<?> one : each.getInterfaces()) {
                if (known(one)) {
                    contracts.add(one);
                } else {
                    contracts.addAll(contracts(one));
                }
            }
        }
        return contracts;
    }

    /** Whether it is the very class that this bundle means by the name, and public. */
    private static boolean known(Class<?> contract) {
        try {
            return Class.forName(contract.getName(), false, Observed.class.getClassLoader())
                            == contract
                    && contract.getName().startsWith("org.backplane.")
                    && java.lang.reflect.Modifier.isPublic(contract.getModifiers());
        } catch (ClassNotFoundException ofTheBundle) {
            return false;
        }
    }

    private Object invoke(Method method, Object[] arguments) throws Throwable {
        try {
            return calls.during(method.getName(), () -> watched(method.invoke(device, arguments)));
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    private Object watched(Object answer) {
        if (answer instanceof SaveSupport.Saveable saveable) {
            return new SaveSupport.Saveable(
                    () -> unchecked(() -> saveable.saver().save()),
                    state -> {
                        try {
                            calls.during(
                                    "restore",
                                    () -> {
                                        saveable.restorer().restore(state);
                                        return null;
                                    });
                        } catch (org.backplane.device.DeviceException | RuntimeException e) {
                            throw e;
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    saveable.bound());
        }
        return answer;
    }

    private <T> T unchecked(java.util.concurrent.Callable<T> save) {
        try {
            return calls.during("save", save);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
