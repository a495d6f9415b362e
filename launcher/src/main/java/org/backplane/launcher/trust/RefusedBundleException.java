package org.backplane.launcher.trust;

/**
 * Ends the resolving of bundles that are all refused. It comes to whoever asked as the cause of a
 * BundleException of type REJECTED_BY_HOOK; its message is the sentence for the user.
 */
final class RefusedBundleException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RefusedBundleException(String sentence) {
        super(sentence);
    }
}
