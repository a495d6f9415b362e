package org.backplane.testkit;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Objects;
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
        byte[] all = new byte[2];

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
            return SavedState.of(SCHEMA, 1).number("count", count).bytes("all", all).build();
        }

        void restore(SavedState state) throws DeviceException {
            state.require(SCHEMA, 1);
            count = state.number("count", 0, 0, Long.MAX_VALUE);
            all = Objects.requireNonNullElse(state.bytes("all", 2, 2), new byte[2]);
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
        contract.savesWithoutAChange();
        contract.restoresWithoutAnEffect();
        contract.readsReleasedStates();
        contract.ignoresNamesItDoesNotKnow();
        contract.defaultsNamesThatAreMissing();
        contract.refusesStatesOfOthers();
        contract.trustsNoState(1, 100);
        contract.bendsNoValue(1, 100);
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

    @Test
    void findsValuesThatAreBentUntilTheyFit() {
        DeviceContract contract =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        count = count & 0xff;
                                    }
                                });
        finds("took a state with number.count=", () -> contract.bendsNoValue(1, 0));
    }

    @Test
    void findsASaveThatChangesTheDevice() {
        DeviceContract contract =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    SavedState save() {
                                        SavedState state = super.save();
                                        count = 0;
                                        return state;
                                    }

                                    @Override
                                    public void start() {
                                        count++;
                                    }
                                });
        finds("saved twice, and not the same", contract::savesWithoutAChange);
    }

    @Test
    void findsARestoreThatActs() {
        DeviceContract raising =
                contract(
                        context -> {
                            var line = context.line();
                            return new Counter() {
                                @Override
                                void restore(SavedState state) {
                                    line.set(true);
                                }
                            };
                        });
        finds("raised a line in restore", raising::restoresWithoutAnEffect);
        DeviceContract taking =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    void restore(SavedState state) {
                                        context.timer(() -> {});
                                    }
                                });
        finds("took something from its context", taking::restoresWithoutAnEffect);
    }

    @Test
    void findsARefusalThatDoesNotSayOfWhat() {
        DeviceContract contract =
                contract(
                        context ->
                                new Counter() {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        state.require(SCHEMA, 1);
                                        throw new DeviceException("no");
                                    }
                                });
        finds("does not name 'counter'", () -> contract.trustsNoState(1, 0));
    }

    @Test
    void findsAReleasedStateThatIsReadNoLonger() throws Exception {
        SavedState released = SavedState.of(SCHEMA, 1).number("count", -3).build();
        DeviceContract contract =
                new DeviceContract(
                        context -> new Counter(),
                        () -> new FakeDeviceContext("test0", "counter", Map.of()),
                        released);
        finds("refused a state of version 1", contract::readsReleasedStates);
        new DeviceContract(
                        context -> new Counter(),
                        () -> new FakeDeviceContext("test0", "counter", Map.of()),
                        DamagedState.copy(released).number("count", 3).build())
                .readsReleasedStates();
    }
}
