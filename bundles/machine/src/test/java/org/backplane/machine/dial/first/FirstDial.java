package org.backplane.machine.dial.first;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.dial.Dial;

/** As it was released first. */
public class FirstDial extends Dial {
    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);

    public FirstDial(DeviceContext context) throws DeviceException {
        super(context);
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private SavedState save() {
        return new DialState(level).saved();
    }

    private void restore(SavedState saved) throws DeviceException {
        level = DialState.of(saved).level();
    }
}
