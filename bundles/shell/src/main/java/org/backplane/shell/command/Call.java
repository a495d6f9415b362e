package org.backplane.shell.command;

import java.nio.file.Path;
import java.util.Optional;
import org.apache.felix.service.command.CommandSession;

/**
 * One use of a command.
 *
 * @param screen what it may draw on
 * @param folder that relative paths are meant from, or empty where nobody knows
 * @param session that it runs in
 */
public record Call(
        Arguments arguments, Screen screen, Optional<Path> folder, CommandSession session) {}
