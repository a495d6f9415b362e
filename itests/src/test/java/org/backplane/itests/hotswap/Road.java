package org.backplane.itests.hotswap;

import org.backplane.itests.CardJar;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.MachineException;
import org.osgi.framework.Bundle;

/** The ways on which the second version of a card comes to a slot that the first one fills. */
enum Road {
    /** {@code vm:swap}. */
    SWAP {
        @Override
        void take(HotSwapRig rig, String slot, Bundle old, Behaviour behaviour) {
            try {
                rig.swap(slot, behaviour, false);
            } catch (MachineException told) {
                // Also to whoever asked; that the slot's history has it is what tests look for.
                refused(told);
            }
        }
    },
    /** A jar in the watched folder. */
    FOLDER {
        @Override
        void take(HotSwapRig rig, String slot, Bundle old, Behaviour behaviour) throws Exception {
            rig.drop(behaviour);
        }
    },
    /** {@code felix:update}. */
    UPDATE {
        @Override
        void take(HotSwapRig rig, String slot, Bundle old, Behaviour behaviour) throws Exception {
            HotSwapRig.update(old, CardJar.path(behaviour, 2));
        }
    },
    /** {@code felix:stop} of the old, {@code felix:start} of the new bundle. */
    RESTART {
        @Override
        void take(HotSwapRig rig, String slot, Bundle old, Behaviour behaviour) throws Exception {
            old.stop();
            rig.context()
                    .installBundle(CardJar.path(behaviour, 2).toUri().toString())
                    .start(Bundle.START_TRANSIENT);
        }
    };

    abstract void take(HotSwapRig rig, String slot, Bundle old, Behaviour behaviour)
            throws Exception;

    private static void refused(MachineException told) {
        if (told.getMessage().isBlank()) {
            throw new AssertionError("refused without a sentence", told);
        }
    }

    /** Whether the new code is made while the old still serves. */
    boolean beside() {
        return this == SWAP || this == FOLDER;
    }
}
