package com.atriptech.postbooking;

/** It may have been executed: query ({@link #next()}), never submit again. */
public final class OutcomeUnknownException extends AtlasException {
    private static final long serialVersionUID = 1;

    OutcomeUnknownException(Reply reply) {
        super(reply);
    }
}
