package org.backplane.kvm;

import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;

/** Reads a saved state and trusts nothing in it: what cannot be is refused with a sentence. */
final class SavedReader {
    private final String part;
    private final SavedState state;

    /**
     * @param part what the state is of, as refusals name it
     * @param newest version that the reader knows; it knows all from 1 on
     */
    SavedReader(String part, SavedState state, String schema, int newest)
            throws HypervisorException {
        this.part = part;
        this.state = state;
        if (state == null) {
            throw refusal("it is missing");
        }
        if (!state.schema().equals(schema)) {
            throw refusal("it is of '%s' and not of '%s'".formatted(state.schema(), schema));
        }
        if (state.version() < 1 || state.version() > newest) {
            throw refusal(
                    "it has version %d and this code reads 1 to %d; use the version that saved it"
                            .formatted(state.version(), newest));
        }
    }

    SavedReader child(String name, String childPart, String schema, int newest)
            throws HypervisorException {
        return new SavedReader(childPart, state.child(name), schema, newest);
    }

    long number(String name, long otherwise) {
        return state.number(name, otherwise);
    }

    /** A number within bounds, 0 if it is missing. */
    int number(String name, int least, int most) throws HypervisorException {
        long value = state.number(name, 0);
        if (value < least || value > most) {
            throw refusal("%s is %d and not %d to %d".formatted(name, value, least, most));
        }
        return (int) value;
    }

    byte[] bytes(String name, int least, int most) throws HypervisorException {
        byte[] bytes = state.bytes(name);
        if (bytes == null) {
            throw refusal("there is no " + name);
        }
        if (bytes.length < least || bytes.length > most) {
            throw refusal(
                    "%s has %d bytes and not %d to %d".formatted(name, bytes.length, least, most));
        }
        return bytes;
    }

    /** Has a number be what this VM has. */
    void require(String name, long ours) throws HypervisorException {
        long theirs = state.number(name, ours);
        if (theirs != ours) {
            throw refusal(
                    "its %s is %d and this VM's is %d; restore it to a VM like the one it is of"
                            .formatted(name, theirs, ours));
        }
    }

    HypervisorException refusal(String reason) {
        return new HypervisorException(
                "The saved state of %s cannot be restored: %s.".formatted(part, reason));
    }
}
