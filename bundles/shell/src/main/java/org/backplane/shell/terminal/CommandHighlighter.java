package org.backplane.shell.terminal;

import java.util.Collection;
import java.util.function.Supplier;
import org.jline.reader.LineReader;
import org.jline.reader.impl.DefaultHighlighter;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/** Shows a line's first word as a command while it is typed, once it is the name of one. */
final class CommandHighlighter extends DefaultHighlighter {
    private final Supplier<Collection<String>> known;

    /**
     * @param known the full names of all commands there are now
     */
    CommandHighlighter(Supplier<Collection<String>> known) {
        this.known = known;
    }

    @Override
    public AttributedString highlight(LineReader reader, String buffer) {
        int begin = buffer.length() - buffer.stripLeading().length();
        int end = begin;
        while (end < buffer.length() && !Character.isWhitespace(buffer.charAt(end))) {
            end++;
        }
        String word = buffer.substring(begin, end);
        boolean command =
                known.get().stream().anyMatch(k -> k.equals(word) || k.endsWith(":" + word));
        if (word.isEmpty() || !command) {
            return super.highlight(reader, buffer);
        }
        return new AttributedStringBuilder()
                .append(buffer, 0, begin)
                .styled(AttributedStyle.BOLD, word)
                .append(buffer, end, buffer.length())
                .toAttributedString();
    }
}
