package org.backplane.memory;

/** What an access to guest memory wants to do; what a range permits. */
public enum Access {
    READ,
    WRITE
}
