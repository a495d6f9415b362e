package org.backplane.launcher.option;

import java.util.Optional;

/**
 * The options that say what runs the guest and how its kernel is entered, as written; empty where
 * not given.
 */
public record EngineOptions(
        Optional<String> engine, Optional<String> format, Optional<String> kvmKind) {
    /** None of them. */
    public static final EngineOptions NONE =
            new EngineOptions(Optional.empty(), Optional.empty(), Optional.empty());
}
