/**
 * Virtio 1.2 over PCI, as far as the guest sees it: split queues and the virtio-pci function. What
 * answers behind them is a {@link org.backplane.virtio.VirtioDevice} in a bundle of its own.
 *
 * <table>
 *   <caption>Where the specification's sections are</caption>
 *   <tr><td>2.1 status, 2.2 features, 2.4 reset, 3.1 initialization</td><td>CommonConfig</td></tr>
 *   <tr><td>2.7 split virtqueues: taking and returning chains</td>
 *       <td>{@link org.backplane.virtio.SplitQueue}</td></tr>
 *   <tr><td>2.7.5 descriptors, 2.7.5.3 indirect ones</td><td>ChainReader,
 *       {@link org.backplane.virtio.DescriptorChain}</td></tr>
 *   <tr><td>2.7.6 to 2.7.10 rings, notification suppression, ordering</td><td>RingMemory</td></tr>
 *   <tr><td>4.1.3 and 4.1.4 layout of the function</td><td>VirtioPciLayout, RingLayout for the
 *       rings: all numbers are there</td></tr>
 *   <tr><td>4.1.4.3 common configuration</td><td>CommonConfig, QueueRegisters</td></tr>
 *   <tr><td>4.1.4.4 notifications</td><td>Doorbells</td></tr>
 *   <tr><td>4.1.4.5 ISR, 4.1.5.3 and 4.1.5.4 interrupts</td><td>VirtioInterrupts</td></tr>
 *   <tr><td>4.1.4.9 configuration access through PCI</td><td>ConfigWindow</td></tr>
 * </table>
 *
 * <p>Beyond the specification is what the slot needs: Ledger knows which requests are out, and
 * outlives the device that took them; CommonState and QueueState are the saved form; OrderedCalls
 * tells the slot what happened, in order and under no lock.
 *
 * <p>The guest is hostile. A ring against the rules stops its queue and sets DEVICE_NEEDS_RESET; a
 * register access against the rules is counted and has no effect; neither is an exception.
 */
@Export
@Version("1.0.0")
package org.backplane.virtio;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
