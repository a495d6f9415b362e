package org.backplane.machine.dial.second;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.dial.Dial;

/** The release in which the guest can set the ceiling. */
public class SecondDial extends Dial {
    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);

    public SecondDial(DeviceContext context) throws DeviceException {
        super(context);
    }

    @Override
    public void write(long offset, int width, long value) {
        if (offset == CEILING && value >= level && value <= TOP) {
            ceiling = (int) value;
        } else {
            super.write(offset, width, value);
        }
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        return new DialState(level, ceiling).saved();
    }

    private void restore(SavedState saved) throws DeviceException {
        DialState state = DialState.of(saved);
        level = state.level();
        ceiling = state.ceiling();
    }
}
