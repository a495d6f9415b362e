package org.backplane.launcher.option;

import java.util.regex.Pattern;

/** Names of machines and slots: they become names of files and keys of configurations. */
public final class MachineName {
    private static final Pattern GOOD = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,31}");

    /** Ends the sentence that refuses a name. */
    public static final String RULE =
            "a name has 1 to 32 letters, digits, '.', '_' or '-', and starts with neither '.' nor"
                    + " '-'";

    private MachineName() {}

    public static boolean isGood(String name) {
        return GOOD.matcher(name).matches();
    }
}
