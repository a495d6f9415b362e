package org.backplane.pci;

/** What answers configuration accesses at one address; never parks. */
sealed interface ConfigTarget permits PciFunction, RootPort {
    long readConfig(int offset, int width);

    void writeConfig(int offset, int width, long value);

    /** An access of a processor is about to come. */
    default void countRead() {}

    default void countWrite() {}
}
