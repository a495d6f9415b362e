package org.backplane.shell.command;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Function;
import org.apache.felix.service.command.Process;
import org.backplane.shell.format.Json;

/** A command as Gogo calls it. */
public final class GogoCommand implements Function {
    /** Variable of a session: the {@link Screen} it is shown on, absent where there is none. */
    public static final String SCREEN = ".screen";

    /** Variable of a session: the folder that relative paths are meant from. */
    public static final String FOLDER = ".folder";

    private final Command command;

    public GogoCommand(Command command) {
        this.command = command;
    }

    @Override
    public Object execute(CommandSession session, List<Object> typed) throws Exception {
        List<String> words = typed.stream().map(String::valueOf).toList();
        boolean json = words.contains(Flag.JSON.name());
        try {
            Object result =
                    command.run(
                            new Call(
                                    command.read(words),
                                    screen(session),
                                    folder(session),
                                    session));
            return json ? Json.of(result) : result;
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw json ? new JsonFailure(e) : e;
        }
    }

    /** Output that another command reads is not on the screen. */
    private static Screen screen(CommandSession session) {
        Process process = Process.Utils.current();
        boolean shown = process != null && process.isTty(1);
        return shown && session.get(SCREEN) instanceof Screen screen ? screen : Screen.NONE;
    }

    private static Optional<Path> folder(CommandSession session) {
        return session.get(FOLDER) instanceof Path folder ? Optional.of(folder) : Optional.empty();
    }
}
