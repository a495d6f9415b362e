package org.backplane.shell.command;

/**
 * What a command has to say where a person and a program want different things.
 *
 * @param text for a person; empty says nothing
 * @param value for a program: a report of the machine, a map, a list
 */
public record Answer(String text, Object value) {
    @Override
    public String toString() {
        return text;
    }
}
