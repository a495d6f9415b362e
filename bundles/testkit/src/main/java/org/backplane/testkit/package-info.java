/**
 * What the tests of a device bundle need so that no guest has to run.
 *
 * <ul>
 *   <li>{@link org.backplane.testkit.FakeDeviceContext} is the slot: regions on a real bus, a real
 *       view of {@link org.backplane.testkit.TestMemory}, and time, console and readiness in the
 *       test's hand. It keeps what a slot keeps over a swap.
 *   <li>{@link org.backplane.testkit.DeviceContract} holds the rules for saved state; the bundle
 *       {@code contract} has them all, and the tests that a device extends.
 *   <li>{@link org.backplane.testkit.DriverRing} is a driver's side of a virtqueue, well-behaved or
 *       hostile; {@link org.backplane.testkit.VirtioDriver} is a driver of a whole virtio function,
 *       which finds everything through configuration space. For a queue without a function, give
 *       the ring's addresses to a {@code QueuePort} of {@code org.backplane.virtio}.
 *   <li>{@link org.backplane.testkit.RecordingMsi} takes a host bridge's interrupts.
 *   <li>{@link org.backplane.testkit.GoldenState} has the states that released versions saved,
 *       which every later version has to accept; {@link org.backplane.testkit.DamagedState} has
 *       what none may trust.
 * </ul>
 *
 * <p>Nothing here has threads or waits. Layouts are written down a second time where they are
 * needed, so that no code under test is compared with itself.
 */
@Export
@Version("1.0.0")
package org.backplane.testkit;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
