package org.backplane.shell.command;

import org.backplane.shell.format.Json;

/** A command that was asked for JSON has failed; the message is a line of it. */
public final class JsonFailure extends Exception {
    private static final long serialVersionUID = 1L;

    JsonFailure(Exception failure) {
        super(Json.failure(Sentence.of(failure)).text(), failure);
    }
}
