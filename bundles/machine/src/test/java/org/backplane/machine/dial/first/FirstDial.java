package org.backplane.machine.dial.first;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.dial.Dial;

/** As it was released first. */
public class FirstDial extends Dial {
    public FirstDial(DeviceContext context) throws DeviceException {
        super(context);
    }

    @Override
    public SaveSupport saveSupport() {
        return new SaveSupport.Saveable(() -> new DialState(level).saved(), this::restore);
    }

    private void restore(SavedState saved) throws DeviceException {
        level = DialState.of(saved).level();
    }
}
