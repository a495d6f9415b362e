package org.backplane.shell.command;

import org.apache.felix.service.command.Converter;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * Reads a bundle's number where a command wants the bundle: Felix's own {@code stop}, {@code start}
 * and {@code update} do, and leave that to the shell.
 */
public final class BundleById implements Converter {
    private final BundleContext context;

    public BundleById(BundleContext context) {
        this.context = context;
    }

    @Override
    public Object convert(Class<?> desired, Object in) {
        if (desired != Bundle.class || in == null) {
            return null;
        }
        try {
            return context.getBundle(Long.parseLong(in.toString()));
        } catch (NumberFormatException e) {
            // No number: another converter may know what it is.
            return null;
        }
    }

    @Override
    public CharSequence format(Object target, int level, Converter escape) {
        return null;
    }
}
