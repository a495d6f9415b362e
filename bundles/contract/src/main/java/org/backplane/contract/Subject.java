package org.backplane.contract;

import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;

/**
 * What is judged: a factory, and how slots are set up so that it makes devices.
 *
 * @param kind as the factory's service says, and a slot
 * @param settings that the factory takes, and the released states fit; without {@code pin}
 * @param released golden states, one at least of each version that was released
 */
public record Subject(
        String kind,
        DeviceFactory factory,
        Map<String, String> settings,
        List<SavedState> released) {
    public Subject {
        settings = Map.copyOf(settings);
        released = List.copyOf(released);
    }
}
