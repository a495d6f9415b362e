/** The web page of a machine, and its metrics; exports nothing. */
package org.backplane.web;
