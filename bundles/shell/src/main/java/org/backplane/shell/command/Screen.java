package org.backplane.shell.command;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What a command may know of where its output goes. Used by the command's thread. */
public interface Screen {
    /** A pipe or a file: as wide as a terminal usually is, without colours. */
    Screen NONE =
            new Screen() {
                @Override
                public int columns() {
                    return 80;
                }

                @Override
                public int rows() {
                    return Integer.MAX_VALUE;
                }

                @Override
                public boolean colours() {
                    return false;
                }

                @Override
                public boolean isTerminal() {
                    return false;
                }

                @Override
                public boolean redraws() {
                    return false;
                }

                @Override
                public void redraw(String text) {
                    System.out.println(text);
                }

                @Override
                public boolean keyWithin(Duration time) throws InterruptedException {
                    pause(time);
                    return false;
                }
            };

    /** Now; a terminal's may change. */
    int columns();

    int rows();

    boolean colours();

    boolean isTerminal();

    /** Whether text can take the place of other text. */
    boolean redraws();

    /** Shows a text in place of what the latest call showed, or below it. */
    void redraw(String text);

    /**
     * Waits that long for a key.
     *
     * @return whether one was pressed
     * @throws InterruptedException Ctrl-C, or the session's end
     */
    boolean keyWithin(Duration time) throws InterruptedException;

    /**
     * Lets that much time pass.
     *
     * @throws InterruptedException Ctrl-C, or the session's end
     */
    default void pause(Duration time) throws InterruptedException {
        new CountDownLatch(1).await(time.toNanos(), TimeUnit.NANOSECONDS);
    }
}
