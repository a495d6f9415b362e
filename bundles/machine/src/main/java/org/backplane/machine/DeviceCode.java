package org.backplane.machine;

import org.backplane.machine.deploy.Deployer;
import org.backplane.machine.slot.Factories.Code;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.machine.slot.MachineServices;

/** What slots ask of the deployer. */
record DeviceCode(Deployer deployer) implements MachineServices.CodeKeeper {
    @Override
    public void withdrawn(Offer offer) {
        deployer.withdrawn(offer.bundle(), offer.factory().getClass().getClassLoader());
    }

    @Override
    public void unused(Code code) {
        deployer.forget(code);
        deployer.retire(code.bundle());
    }

    @Override
    public void failed(Code code) {
        deployer.forget(code);
        deployer.reject(code.bundle());
    }

    @Override
    public void comeBack(Code gone) {
        deployer.comeBack(gone);
    }
}
