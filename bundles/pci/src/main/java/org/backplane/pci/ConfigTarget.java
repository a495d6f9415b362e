package org.backplane.pci;

/** What answers configuration accesses at one address; never parks. */
sealed interface ConfigTarget permits PciFunction, RootPort {
    long readConfig(int offset, int width);

    void writeConfig(int offset, int width, long value);
}
