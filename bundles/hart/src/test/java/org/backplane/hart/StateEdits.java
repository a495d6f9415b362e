package org.backplane.hart;

import java.util.function.UnaryOperator;
import org.backplane.device.state.SavedState;

/** Changed copies of saved states. */
final class StateEdits {
    private StateEdits() {}

    static SavedState.Builder copy(SavedState state, String schema, int version) {
        SavedState.Builder copy = SavedState.of(schema, version);
        state.numbers().forEach(copy::number);
        state.byteNames().forEach(name -> copy.bytes(name, state.bytes(name)));
        state.children().forEach(copy::child);
        return copy;
    }

    static SavedState.Builder copy(SavedState state) {
        return copy(state, state.schema(), state.version());
    }

    static SavedState with(SavedState state, String name, long value) {
        return copy(state).number(name, value).build();
    }

    static SavedState without(SavedState state, String child) {
        SavedState.Builder copy = SavedState.of(state.schema(), state.version());
        state.numbers().forEach(copy::number);
        state.byteNames().forEach(name -> copy.bytes(name, state.bytes(name)));
        state.children()
                .forEach(
                        (name, each) -> {
                            if (!name.equals(child)) {
                                copy.child(name, each);
                            }
                        });
        return copy.build();
    }

    /** Changes the part at a path of children. */
    static SavedState at(SavedState state, String path, UnaryOperator<SavedState> change) {
        if (path.isEmpty()) {
            return change.apply(state);
        }
        String[] names = path.split("/", 2);
        SavedState child = at(state.child(names[0]), names.length > 1 ? names[1] : "", change);
        return copy(state).child(names[0], child).build();
    }
}
