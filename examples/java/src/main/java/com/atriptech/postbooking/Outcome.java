package com.atriptech.postbooking;

/** Whether the effect exists at the vendor. */
public enum Outcome {
    /** It may have been executed: query, never submit again. */
    UNKNOWN,
    EXECUTED,
    NOT_EXECUTED,
    PENDING
}
