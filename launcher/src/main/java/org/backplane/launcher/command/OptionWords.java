package org.backplane.launcher.command;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.backplane.launcher.kernel.Architecture;
import org.backplane.launcher.kernel.KernelFormat;
import org.backplane.launcher.option.EngineChoice;

/** The words that options can have, where there are few: for completion. */
abstract sealed class OptionWords implements Iterable<String> {
    private final List<String> words;

    OptionWords(Stream<String> words) {
        this.words = words.toList();
    }

    @Override
    public Iterator<String> iterator() {
        return words.iterator();
    }

    /** Of {@code --engine}, where one may be left to the machine. */
    static final class Engines extends OptionWords {
        Engines() {
            super(Stream.concat(Stream.of(EngineChoice.AUTO), names()));
        }

        private static Stream<String> names() {
            return Arrays.stream(Architecture.values()).map(Architecture::engine);
        }
    }

    /** Of {@code --engine} where it says whose guest. */
    static final class Guests extends OptionWords {
        Guests() {
            super(Engines.names());
        }
    }

    /** Of {@code --format}. */
    static final class Formats extends OptionWords {
        Formats() {
            super(
                    Stream.concat(
                            Stream.of(EngineChoice.AUTO),
                            Arrays.stream(KernelFormat.values()).map(KernelFormat::word)));
        }
    }

    /** Of {@code --kvm-kind}. */
    static final class KvmKinds extends OptionWords {
        KvmKinds() {
            super(EngineChoice.KVM_KINDS.stream());
        }
    }
}
