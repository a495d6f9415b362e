package org.backplane.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class DeviceContractTest {
    private static final String SCHEMA = "counter";

    /** A device that keeps to everything; the tests make it break one rule at a time. */
    private static class Counter implements Device {
        long count;

        @Override
        public void start() {}

        @Override
        public void quiesce() {}

        @Override
        public boolean idle() {
            return true;
        }

        @Override
        public void resume() {}

        @Override
        public void reset() {
            count = 0;
        }

        @Override
        public SaveSupport saveSupport() {
            return new SaveSupport.Saveable(this::save, this::restore);
        }

        SavedState save() {
            return SavedState.of(SCHEMA, 1)
                    .number("count", count)
                    .bytes("all", new byte[2])
                    .build();
        }

        void restore(SavedState state) throws DeviceException {
            state.require(SCHEMA, 1);
            count = state.number("count", 0);
            if (count < 0) {
                throw new DeviceException("a count below zero");
            }
        }

        @Override
        public void close() {}
    }

    private static DeviceContract contract(DeviceFactory factory) {
        return new DeviceContract(
                factory, () -> new FakeDeviceContext("test0", "counter", Map.of()));
    }

    private static void checkAll(DeviceContract contract) throws Exception {
        contract.goesThroughItsLife();
        contract.savesWhatItRestored();
        contract.ignoresNamesItDoesNotKnow();
        contract.defaultsNamesThatAreMissing();
        contract.refusesStatesOfOthers();
        contract.trustsNoState(1, 100);
    }

    private static void finds(String words, Executable rule) {
        String message = assertThrows(AssertionError.class, rule).getMessage();
        assertTrue(message.contains(words), message);
    }

    @Test
    void passesADeviceThatKeepsToIt() throws Exception {
        checkAll(contract(context -> new Counter()));
    }

    @Test
    void passesADeviceWithoutState() throws Exception {
        checkAll(
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    public SaveSupport saveSupport() {
                                        return new SaveSupport.Stateless();
                                    }
                                }));
    }

    @Test
    void findsADeviceThatNeverBecomesIdle() {
        DeviceContract contract =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    public boolean idle() {
                                        return false;
                                    }
                                });
        finds("not idle", contract::goesThroughItsLife);
    }

    @Test
    void findsStateThatIsLost() {
        DeviceContract contract =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    public void start() {
                                        count++;
                                    }
                                });
        finds("and saved", contract::savesWhatItRestored);
    }

    @Test
    void findsAReaderThatTrustsAndOneThatWantsEveryName() {
        DeviceContract contract =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        state.require(SCHEMA, 1);
                                        count = state.bytes("all")[1];
                                    }
                                });
        finds("threw", () -> contract.trustsNoState(1, 100));
        finds("threw", contract::defaultsNamesThatAreMissing);
        DeviceContract strict =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        if (state.schema().equals(SCHEMA)
                                                && state.version() == 1
                                                && state.bytes("all") == null) {
                                            throw new DeviceException("not all");
                                        }
                                    }
                                });
        finds("without any name", strict::defaultsNamesThatAreMissing);
        finds("restored", strict::refusesStatesOfOthers);
    }
}
