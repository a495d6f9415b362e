package org.backplane.launcher.guest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Puts modules in an order in which {@code insmod} can load them. Debian's package holds no
 * modules.dep (it is made on installation), so the modules themselves are asked.
 */
final class ModuleOrder {
    /** Soft dependencies on an algorithm are named crypto-NAME; NAME_generic provides it. */
    private static final String CRYPTO = "crypto_";

    /** Finds a module by its plain name. */
    interface Source {
        /** Empty if there is no such module, which may then be built in. */
        Optional<KernelModule> find(String name) throws IOException;
    }

    private final Source source;
    private final Map<String, KernelModule> ordered = new LinkedHashMap<>();
    private final Set<String> underway = new LinkedHashSet<>();

    ModuleOrder(Source source) {
        this.source = source;
    }

    /**
     * The wanted modules and everything they depend on.
     *
     * @throws IOException if a wanted module is missing or modules depend on each other in a ring
     */
    static List<KernelModule> of(List<String> wanted, Source source) throws IOException {
        ModuleOrder order = new ModuleOrder(source);
        for (String name : wanted) {
            String plain = KernelModule.plainName(name);
            if (source.find(plain).isEmpty()) {
                throw new IOException("the kernel's package holds no module '" + name + "'");
            }
            order.add(plain);
        }
        return new ArrayList<>(order.ordered.values());
    }

    private void add(String name) throws IOException {
        if (ordered.containsKey(name)) {
            return;
        }
        if (!underway.add(name)) {
            throw new IOException("modules depend on each other: " + String.join(", ", underway));
        }
        Optional<KernelModule> module = source.find(name);
        if (module.isEmpty() && name.startsWith(CRYPTO)) {
            add(name.substring(CRYPTO.length()) + "_generic");
        } else if (module.isPresent()) {
            for (String dependency : module.get().depends()) {
                add(dependency);
            }
            ordered.put(name, module.get());
        }
        underway.remove(name);
    }
}
