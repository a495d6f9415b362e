/** An entropy device (virtio 1.2, section 5.4). */
package org.backplane.rng;
