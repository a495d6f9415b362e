package org.backplane.launcher.option;

import java.nio.file.Path;

/**
 * Logins by SSH.
 *
 * @param keys file of the public keys that are let in
 */
public record SshPlan(ListenAddress address, Path keys) {}
