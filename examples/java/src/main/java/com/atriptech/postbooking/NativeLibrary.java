package com.atriptech.postbooking;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;

/** The functions of the library. It is looked for by the loader, and in jna.library.path. */
final class NativeLibrary {
    static {
        Native.register(NativeLibrary.class, "libatlas_postbooking.so.1");
        if (apb_abi_version() != Status.ABI_VERSION) {
            throw new UnsatisfiedLinkError("libatlas_postbooking has another ABI");
        }
    }

    private NativeLibrary() {
    }

    static native int apb_abi_version();

    static native long apb_live_handles();

    static native int apb_client_new(byte[] config, long len, PointerByReference client, PointerByReference reply);

    static native void apb_client_free(Pointer client);

    static native Pointer apb_cancel_new();

    static native void apb_cancel_set(Pointer cancel);

    static native void apb_cancel_free(Pointer cancel);

    static native int apb_validate(byte[] operation, byte[] request, long len, PointerByReference reply);

    static native int apb_describe(byte[] operation, PointerByReference reply);

    static native int apb_queue_new(PointerByReference queue);

    static native int apb_start(Pointer client, byte[] operation, byte[] request, long len, byte[] options,
            long optionsLen, Pointer queue, long tag, Pointer cancel);

    static native int apb_queue_next(Pointer queue, long timeoutMs, LongByReference tag, PointerByReference reply);

    static native Pointer apb_reply_json(Pointer reply, LongByReference len);

    static native Pointer apb_reply_raw(Pointer reply, LongByReference len);

    static native int apb_reply_status(Pointer reply);

    static native int apb_reply_outcome(Pointer reply);

    static native int apb_reply_http_status(Pointer reply);

    static native int apb_reply_vendor_status(Pointer reply);

    static native void apb_reply_free(Pointer reply);

    /** A name with its NUL; null stays null. */
    static byte[] name(String text) {
        return text == null ? null : (text + "\0").getBytes(StandardCharsets.UTF_8);
    }
}
