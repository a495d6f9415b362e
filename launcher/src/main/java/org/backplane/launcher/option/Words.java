package org.backplane.launcher.option;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A value of comma-separated words, {@code head,flag,key=value}. A comma that belongs to a word is
 * written twice.
 *
 * @param head the first word
 * @param settings the others, in order; a word without {@code =} has the value {@code true}; the
 *     values of a key that may be given more than once are joined by {@code ;}
 * @param twice keys given more than once
 */
record Words(String head, Map<String, String> settings, List<String> twice) {
    static Words of(String text) {
        return of(text, Set.of());
    }

    /**
     * @param repeatable keys that may be given more than once
     */
    static Words of(String text, Set<String> repeatable) {
        List<String> words = split(text);
        Map<String, String> settings = new LinkedHashMap<>();
        List<String> twice = new ArrayList<>();
        for (String word : words.subList(1, words.size())) {
            int equals = word.indexOf('=');
            String key = equals < 0 ? word : word.substring(0, equals);
            String value = equals < 0 ? "true" : word.substring(equals + 1);
            if (repeatable.contains(key)) {
                settings.merge(key, value, (before, now) -> before + ";" + now);
            } else if (settings.putIfAbsent(key, value) != null) {
                twice.add(key);
            }
        }
        return new Words(words.get(0), settings, twice);
    }

    private static List<String> split(String text) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != ',') {
                word.append(c);
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                word.append(c);
                i++;
            } else {
                words.add(word.toString());
                word.setLength(0);
            }
        }
        words.add(word.toString());
        return words;
    }
}
