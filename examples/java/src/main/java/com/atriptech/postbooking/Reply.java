package com.atriptech.postbooking;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;

/** The reply of a call: a copy, nothing to free. */
public final class Reply {
    static final Gson GSON = new Gson();

    private final byte[] json;
    private final byte[] raw;
    private final int status;
    private final int outcome;
    private final int httpStatus;
    private final int vendorStatus;
    private JsonObject object;

    /** Takes over a reply of the library. */
    Reply(long handle) {
        json = NativeLibrary.json(handle);
        raw = NativeLibrary.raw(handle);
        status = NativeLibrary.status(handle);
        outcome = NativeLibrary.outcome(handle);
        httpStatus = NativeLibrary.httpStatus(handle);
        vendorStatus = NativeLibrary.vendorStatus(handle);
        NativeLibrary.replyFree(handle);
    }

    public boolean ok() {
        return status == Status.OK;
    }

    /** One of {@link Status}. */
    public int status() {
        return status;
    }

    public Outcome outcome() {
        return Outcome.values()[outcome];
    }

    /** 0: no answer. */
    public int httpStatus() {
        return httpStatus;
    }

    public int vendorStatus() {
        return vendorStatus;
    }

    public byte[] bytes() {
        return json;
    }

    /** What the vendor sent; null if nothing. */
    public byte[] raw() {
        return raw;
    }

    /** The whole reply. */
    public synchronized JsonObject object() {
        if (object == null) {
            object = JsonParser.parseString(new String(json, StandardCharsets.UTF_8)).getAsJsonObject();
        }
        return object;
    }

    /** A member of the reply: data, error, case, warnings, meta. */
    public JsonElement member(String name) {
        return object().get(name);
    }

    /** The data as a record of {@link Types}. */
    public <T> T data(Class<T> type) {
        return GSON.fromJson(member("data"), type);
    }

    Reply check() {
        if (ok()) {
            return this;
        }
        throw outcome() == Outcome.UNKNOWN ? new OutcomeUnknownException(this) : new AtlasException(this);
    }
}
