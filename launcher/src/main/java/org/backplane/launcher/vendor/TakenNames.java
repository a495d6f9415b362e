package org.backplane.launcher.vendor;

import java.lang.module.ModuleFinder;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a new device's classes and package cannot be called: the simple names that the templates
 * use, as a class of the same name in the package would stand in for what is meant or be defined
 * twice (JLS 6.4.1, 7.5.1), and the packages of the libraries that they are written with.
 */
final class TakenNames {
    private static final Pattern IMPORT =
            Pattern.compile("(?m)^import (static )?([a-z][a-z0-9.]*)\\.([\\w.]+);$");
    private static final Pattern NO_CODE =
            Pattern.compile(
                    "(?s)/\\*.*?\\*/|//[^\\n]*|\"(?:[^\"\\\\\\n]|\\\\.)*\"|@[A-Z]+@\\w*|(?m:^(?:import|package) .*?;$)");
    private static final Pattern TYPE = Pattern.compile("(?<![\\w.])[A-Z]\\w*");

    private final Set<String> classes = new TreeSet<>();

    /** The first two words of the packages imported from: {@code org.osgi}. */
    private final Set<String> families = new TreeSet<>();

    /**
     * @param templates of Java sources
     */
    TakenNames(Collection<String> templates) {
        for (String template : templates) {
            Matcher imports = IMPORT.matcher(template);
            while (imports.find()) {
                String[] words = imports.group(2).split("\\.");
                families.add(words[0] + "." + words[1]);
                if (imports.group(1) == null) {
                    classes.add(imports.group(3).substring(imports.group(3).lastIndexOf('.') + 1));
                }
            }
            TYPE.matcher(NO_CODE.matcher(template).replaceAll(" "))
                    .results()
                    .map(MatchResult::group)
                    .forEach(classes::add);
        }
    }

    /** Why a class cannot have the name; empty if it can. */
    Optional<String> refusalOfClass(String name) {
        if (classes.contains(name)) {
            return Optional.of(
                    "its class %s would be taken for another %s that the project uses"
                            .formatted(name, name));
        }
        return isOfJavaLang(name)
                ? Optional.of("its class %s would hide java.lang.%s".formatted(name, name))
                : Optional.empty();
    }

    private static boolean isOfJavaLang(String name) {
        try {
            Class.forName("java.lang." + name, false, null);
            return true;
        } catch (ClassNotFoundException none) {
            return false;
        }
    }

    /** Why a package cannot have the name; empty if it can. */
    Optional<String> refusalOfPackage(String name) {
        if ((name + ".").startsWith("java.")) {
            return Optional.of(
                    "its package %s would be one of Java, which prohibits it".formatted(name));
        }
        if (ModuleFinder.ofSystem().findAll().stream()
                .anyMatch(module -> module.descriptor().packages().contains(name))) {
            return Optional.of("the JDK has the package " + name);
        }
        return families.stream()
                .filter(family -> (name + ".").startsWith(family + "."))
                .findFirst()
                .map(family -> "its package %s would be among those of %s".formatted(name, family));
    }
}
