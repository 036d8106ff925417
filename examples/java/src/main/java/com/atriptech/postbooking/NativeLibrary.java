package com.atriptech.postbooking;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import java.nio.charset.StandardCharsets;

/**
 * The functions of the library over JNA, which looks in jna.library.path too. src/main/java22 has the same class over
 * java.lang.foreign, for JDK 22 and later. Handles are numbers; 0 is none.
 */
final class NativeLibrary {
    static {
        Native.register(NativeLibrary.class, "libatlas_postbooking.so.1");
        if (apb_abi_version() != Status.ABI_VERSION) {
            throw new UnsatisfiedLinkError("libatlas_postbooking has another ABI");
        }
    }

    private NativeLibrary() {
    }

    /** A status; out becomes the client and the reply of a failure. */
    static int clientNew(byte[] config, long[] out) {
        LongByReference client = new LongByReference();
        LongByReference reply = new LongByReference();
        int status = apb_client_new(config, config.length, client, reply);
        out[0] = client.getValue();
        out[1] = reply.getValue();
        return status;
    }

    static void clientFree(long client) {
        apb_client_free(client);
    }

    static long liveHandles() {
        return apb_live_handles();
    }

    static long cancelNew() {
        return apb_cancel_new();
    }

    static void cancelSet(long cancel) {
        apb_cancel_set(cancel);
    }

    static void cancelFree(long cancel) {
        apb_cancel_free(cancel);
    }

    /** A reply. */
    static long validate(String operation, byte[] request) {
        LongByReference reply = new LongByReference();
        apb_validate(name(operation), request, request.length, reply);
        return reply.getValue();
    }

    /** A reply. */
    static long describe(String operation) {
        LongByReference reply = new LongByReference();
        apb_describe(name(operation), reply);
        return reply.getValue();
    }

    static long queueNew() {
        LongByReference queue = new LongByReference();
        apb_queue_new(queue);
        return queue.getValue();
    }

    /** A status; the options may be null. */
    static int start(long client, String operation, byte[] request, byte[] options, long queue, long tag,
            long cancel) {
        return apb_start(client, name(operation), request, request.length, options,
                options == null ? 0 : options.length, queue, tag, cancel);
    }

    /** A status; out becomes the tag and the reply. Blocks. */
    static int queueNext(long queue, long timeoutMs, long[] out) {
        LongByReference tag = new LongByReference();
        LongByReference reply = new LongByReference();
        int status = apb_queue_next(queue, timeoutMs, tag, reply);
        out[0] = tag.getValue();
        out[1] = reply.getValue();
        return status;
    }

    static byte[] json(long reply) {
        LongByReference len = new LongByReference();
        return copy(apb_reply_json(reply, len), len);
    }

    /** null if the vendor sent nothing. */
    static byte[] raw(long reply) {
        LongByReference len = new LongByReference();
        return copy(apb_reply_raw(reply, len), len);
    }

    static int status(long reply) {
        return apb_reply_status(reply);
    }

    static int outcome(long reply) {
        return apb_reply_outcome(reply);
    }

    static int httpStatus(long reply) {
        return apb_reply_http_status(reply);
    }

    static int vendorStatus(long reply) {
        return apb_reply_vendor_status(reply);
    }

    static void replyFree(long reply) {
        apb_reply_free(reply);
    }

    private static byte[] copy(Pointer text, LongByReference len) {
        return text == null ? null : text.getByteArray(0, Math.toIntExact(len.getValue()));
    }

    /** A name with its NUL; null stays null. */
    private static byte[] name(String text) {
        return text == null ? null : (text + "\0").getBytes(StandardCharsets.UTF_8);
    }

    private static native int apb_abi_version();

    private static native long apb_live_handles();

    private static native int apb_client_new(byte[] config, long len, LongByReference client, LongByReference reply);

    private static native void apb_client_free(long client);

    private static native long apb_cancel_new();

    private static native void apb_cancel_set(long cancel);

    private static native void apb_cancel_free(long cancel);

    private static native int apb_validate(byte[] operation, byte[] request, long len, LongByReference reply);

    private static native int apb_describe(byte[] operation, LongByReference reply);

    private static native int apb_queue_new(LongByReference queue);

    private static native int apb_start(long client, byte[] operation, byte[] request, long len, byte[] options,
            long optionsLen, long queue, long tag, long cancel);

    private static native int apb_queue_next(long queue, long timeoutMs, LongByReference tag, LongByReference reply);

    private static native Pointer apb_reply_json(long reply, LongByReference len);

    private static native Pointer apb_reply_raw(long reply, LongByReference len);

    private static native int apb_reply_status(long reply);

    private static native int apb_reply_outcome(long reply);

    private static native int apb_reply_http_status(long reply);

    private static native int apb_reply_vendor_status(long reply);

    private static native void apb_reply_free(long reply);
}
