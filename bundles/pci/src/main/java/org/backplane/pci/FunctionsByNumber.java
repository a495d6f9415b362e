package org.backplane.pci;

import java.util.function.IntFunction;
import org.backplane.bus.Bus;

/** Configuration accesses by number of bus (8 bits), device (5) and function (3), and register. */
final class FunctionsByNumber implements ConfigMechanism1.Functions {
    private final IntFunction<ConfigTarget> functions;

    /**
     * @param functions what answers at a number, or null
     */
    FunctionsByNumber(IntFunction<ConfigTarget> functions) {
        this.functions = functions;
    }

    @Override
    public long read(int number, int register, int width) {
        ConfigTarget function = functions.apply(number);
        if (function == null) {
            return Bus.allOnes(width);
        }
        if (function instanceof PciFunction counting) {
            counting.countRead();
        }
        return function.readConfig(register, width);
    }

    @Override
    public void write(int number, int register, int width, long value) {
        ConfigTarget function = functions.apply(number);
        if (function != null) {
            if (function instanceof PciFunction counting) {
                counting.countWrite();
            }
            function.writeConfig(register, width, value);
        }
    }
}
