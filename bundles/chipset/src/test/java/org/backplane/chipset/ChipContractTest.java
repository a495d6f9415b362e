package org.backplane.chipset;

import java.util.List;
import org.backplane.contract.junit.DeviceContractTest;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Nested;

/** The contract that holds for devices of every kind, for each chip. */
class ChipContractTest {
    private static SavedState golden(String file) {
        return GoldenState.read(ChipContractTest.class, file);
    }

    @Nested
    class Uart extends DeviceContractTest {
        @Override
        protected String kind() {
            return Ns16550aFactory.KIND;
        }

        @Override
        protected DeviceFactory factory() {
            return new Ns16550aFactory();
        }

        @Override
        protected List<SavedState> released() {
            return List.of(golden(Ns16550aTest.GOLDEN));
        }
    }

    @Nested
    class Clock extends DeviceContractTest {
        @Override
        protected String kind() {
            return GoldfishRtcFactory.KIND;
        }

        @Override
        protected DeviceFactory factory() {
            return new GoldfishRtcFactory();
        }

        @Override
        protected List<SavedState> released() {
            return List.of(golden(GoldfishRtcTest.GOLDEN));
        }
    }

    @Nested
    class Power extends DeviceContractTest {
        @Override
        protected String kind() {
            return PowerSwitchFactory.KIND;
        }

        @Override
        protected DeviceFactory factory() {
            return new PowerSwitchFactory();
        }
    }

    @Nested
    class PcClock extends DeviceContractTest {
        @Override
        protected String kind() {
            return CmosRtcFactory.KIND;
        }

        @Override
        protected DeviceFactory factory() {
            return new CmosRtcFactory();
        }

        @Override
        protected List<SavedState> released() {
            return List.of(golden(CmosRtcTest.GOLDEN));
        }
    }

    @Nested
    class Keyboard extends DeviceContractTest {
        @Override
        protected String kind() {
            return KeyboardControllerFactory.KIND;
        }

        @Override
        protected DeviceFactory factory() {
            return new KeyboardControllerFactory();
        }

        @Override
        protected List<SavedState> released() {
            return List.of(golden(KeyboardControllerTest.GOLDEN));
        }
    }

    @Nested
    class Management extends DeviceContractTest {
        @Override
        protected String kind() {
            return PowerManagementFactory.KIND;
        }

        @Override
        protected DeviceFactory factory() {
            return new PowerManagementFactory();
        }

        @Override
        protected List<SavedState> released() {
            return List.of(golden(PowerManagementTest.GOLDEN));
        }
    }

    @Nested
    class Exit extends DeviceContractTest {
        @Override
        protected String kind() {
            return DebugExitFactory.KIND;
        }

        @Override
        protected DeviceFactory factory() {
            return new DebugExitFactory();
        }
    }
}
