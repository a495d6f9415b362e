/**
 * Measures a machine from outside, as a user would drive it: a process of its own, its console, its
 * shell. No part of the distribution.
 */
package org.backplane.bench;
