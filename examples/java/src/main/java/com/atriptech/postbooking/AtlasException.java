package com.atriptech.postbooking;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/** A call that did not end well. Look at {@link #outcome()} before anything is done again. */
public class AtlasException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient Reply reply;

    AtlasException(Reply reply) {
        super(reply.member("error").getAsJsonObject().get("message").getAsString());
        this.reply = reply;
    }

    public Reply reply() {
        return reply;
    }

    public Outcome outcome() {
        return reply.outcome();
    }

    public String code() {
        return text("code");
    }

    /** What to do now, from a closed list. */
    public String advice() {
        return text("advice");
    }

    /** The operation that says more; null if none does. */
    public String next() {
        return text("next");
    }

    private String text(String name) {
        JsonObject error = reply.member("error").getAsJsonObject();
        JsonElement value = error.get(name);
        return value == null || value.isJsonNull() ? null : value.getAsString();
    }
}
