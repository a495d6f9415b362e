package org.backplane.machine.serve;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.backplane.linux.LinuxException;
import org.backplane.machine.MachineException;
import org.backplane.machine.board.Board;
import org.backplane.machine.slot.SlotSpec;
import org.backplane.pci.PciFunction;
import org.backplane.vfio.user.VfioUserServer;

/** A socket at which clients use the function of the one slot; closing it lets the client go. */
public final class ServedSocket implements AutoCloseable {
    private final ClientVm client;
    private final VfioUserServer server;

    private ServedSocket(ClientVm client, VfioUserServer server) {
        this.client = client;
        this.server = server;
    }

    /**
     * Begins to serve.
     *
     * @param spec what the slot is asked for as, for messages
     * @param board of the {@link ClientEngine}, whose processor runs
     * @throws MachineException the slot has no PCI function, or the socket cannot be had
     */
    public static ServedSocket open(Path path, SlotSpec spec, Board board, ServedSlot slot)
            throws MachineException {
        List<PciFunction> functions = board.bridge().functions();
        if (functions.isEmpty()) {
            throw new MachineException(
                    "%s: the kind '%s' is no PCI device, and nothing else can be served; give another kind."
                            .formatted(spec.source(), spec.kind()));
        }
        var function = new ServedFunction(board, functions.get(0), slot);
        try {
            return new ServedSocket((ClientVm) board.vm(), VfioUserServer.open(path, function));
        } catch (LinuxException e) {
            boolean ofThePath = e.isAbsent() || e.isPermission();
            throw new MachineException(
                    "--socket %s: %s%s."
                            .formatted(
                                    path,
                                    e.getMessage(),
                                    ofThePath
                                            ? "; give a path in a folder where files can be made"
                                            : "; free what the host lacks, or give another path"),
                    e);
        } catch (IOException e) {
            throw new MachineException("--socket %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    @Override
    public void close() {
        // First, so that the server finds its way back out of an access.
        client.close();
        server.close();
    }
}
