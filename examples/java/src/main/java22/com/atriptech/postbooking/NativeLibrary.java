package com.atriptech.postbooking;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The functions of the library over java.lang.foreign, for JDK 22 and later: the same class as in src/main/java,
 * without JNA. Handles are numbers, which a 64-bit ABI passes as it passes pointers; 0 is none.
 */
@SuppressWarnings("restricted")
final class NativeLibrary {
    private static final SymbolLookup LIBRARY = SymbolLookup.libraryLookup("libatlas_postbooking.so.1", Arena.global());
    private static final MethodHandle ABI_VERSION = function("apb_abi_version", JAVA_INT);
    private static final MethodHandle LIVE_HANDLES = function("apb_live_handles", JAVA_LONG);
    private static final MethodHandle CLIENT_NEW =
            function("apb_client_new", JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle CLIENT_FREE = function("apb_client_free", null, JAVA_LONG);
    private static final MethodHandle CANCEL_NEW = function("apb_cancel_new", JAVA_LONG);
    private static final MethodHandle CANCEL_SET = function("apb_cancel_set", null, JAVA_LONG);
    private static final MethodHandle CANCEL_FREE = function("apb_cancel_free", null, JAVA_LONG);
    private static final MethodHandle VALIDATE =
            function("apb_validate", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
    private static final MethodHandle DESCRIBE = function("apb_describe", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle QUEUE_NEW = function("apb_queue_new", JAVA_INT, ADDRESS);
    private static final MethodHandle START = function("apb_start", JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG,
            ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle QUEUE_NEXT =
            function("apb_queue_next", JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle REPLY_JSON = function("apb_reply_json", ADDRESS, JAVA_LONG, ADDRESS);
    private static final MethodHandle REPLY_RAW = function("apb_reply_raw", ADDRESS, JAVA_LONG, ADDRESS);
    private static final MethodHandle REPLY_STATUS = function("apb_reply_status", JAVA_INT, JAVA_LONG);
    private static final MethodHandle REPLY_OUTCOME = function("apb_reply_outcome", JAVA_INT, JAVA_LONG);
    private static final MethodHandle REPLY_HTTP_STATUS = function("apb_reply_http_status", JAVA_INT, JAVA_LONG);
    private static final MethodHandle REPLY_VENDOR_STATUS = function("apb_reply_vendor_status", JAVA_INT, JAVA_LONG);
    private static final MethodHandle REPLY_FREE = function("apb_reply_free", null, JAVA_LONG);

    static {
        if (NativeLibrary.<Integer>in(arena -> (int) ABI_VERSION.invokeExact()) != Status.ABI_VERSION) {
            throw new UnsatisfiedLinkError("libatlas_postbooking has another ABI");
        }
    }

    private NativeLibrary() {
    }

    /** A status; out becomes the client and the reply of a failure. */
    static int clientNew(byte[] config, long[] out) {
        return in(arena -> {
            MemorySegment made = arena.allocate(JAVA_LONG, 2);
            int status = (int) CLIENT_NEW.invokeExact(bytes(arena, config), (long) config.length, made,
                    made.asSlice(JAVA_LONG.byteSize()));
            return taken(made, out, status);
        });
    }

    static void clientFree(long client) {
        in(arena -> {
            CLIENT_FREE.invokeExact(client);
            return null;
        });
    }

    static long liveHandles() {
        return in(arena -> (long) LIVE_HANDLES.invokeExact());
    }

    static long cancelNew() {
        return in(arena -> (long) CANCEL_NEW.invokeExact());
    }

    static void cancelSet(long cancel) {
        in(arena -> {
            CANCEL_SET.invokeExact(cancel);
            return null;
        });
    }

    static void cancelFree(long cancel) {
        in(arena -> {
            CANCEL_FREE.invokeExact(cancel);
            return null;
        });
    }

    /** A reply. */
    static long validate(String operation, byte[] request) {
        return in(arena -> {
            MemorySegment reply = arena.allocate(JAVA_LONG);
            int status = (int) VALIDATE.invokeExact(name(arena, operation), bytes(arena, request),
                    (long) request.length, reply);
            return reply.get(JAVA_LONG, 0);
        });
    }

    /** A reply. */
    static long describe(String operation) {
        return in(arena -> {
            MemorySegment reply = arena.allocate(JAVA_LONG);
            int status = (int) DESCRIBE.invokeExact(name(arena, operation), reply);
            return reply.get(JAVA_LONG, 0);
        });
    }

    static long queueNew() {
        return in(arena -> {
            MemorySegment queue = arena.allocate(JAVA_LONG);
            int status = (int) QUEUE_NEW.invokeExact(queue);
            return queue.get(JAVA_LONG, 0);
        });
    }

    /** A status; the options may be null. */
    static int start(long client, String operation, byte[] request, byte[] options, long queue, long tag,
            long cancel) {
        long optionsLen = options == null ? 0 : options.length;
        return in(arena -> (int) START.invokeExact(client, name(arena, operation), bytes(arena, request),
                (long) request.length, bytes(arena, options), optionsLen, queue, tag, cancel));
    }

    /** A status; out becomes the tag and the reply. Blocks. */
    static int queueNext(long queue, long timeoutMs, long[] out) {
        return in(arena -> {
            MemorySegment next = arena.allocate(JAVA_LONG, 2);
            int status = (int) QUEUE_NEXT.invokeExact(queue, timeoutMs, next, next.asSlice(JAVA_LONG.byteSize()));
            return taken(next, out, status);
        });
    }

    static byte[] json(long reply) {
        return text(REPLY_JSON, reply);
    }

    /** null if the vendor sent nothing. */
    static byte[] raw(long reply) {
        return text(REPLY_RAW, reply);
    }

    static int status(long reply) {
        return in(arena -> (int) REPLY_STATUS.invokeExact(reply));
    }

    static int outcome(long reply) {
        return in(arena -> (int) REPLY_OUTCOME.invokeExact(reply));
    }

    static int httpStatus(long reply) {
        return in(arena -> (int) REPLY_HTTP_STATUS.invokeExact(reply));
    }

    static int vendorStatus(long reply) {
        return in(arena -> (int) REPLY_VENDOR_STATUS.invokeExact(reply));
    }

    static void replyFree(long reply) {
        in(arena -> {
            REPLY_FREE.invokeExact(reply);
            return null;
        });
    }

    private static byte[] text(MethodHandle function, long reply) {
        return in(arena -> {
            MemorySegment len = arena.allocate(JAVA_LONG);
            MemorySegment text = (MemorySegment) function.invokeExact(reply, len);
            return text.address() == 0 ? null : text.reinterpret(len.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
        });
    }

    private static int taken(MemorySegment two, long[] out, int status) {
        out[0] = two.getAtIndex(JAVA_LONG, 0);
        out[1] = two.getAtIndex(JAVA_LONG, 1);
        return status;
    }

    private static MemorySegment bytes(Arena arena, byte[] text) {
        return text == null ? MemorySegment.NULL : arena.allocateFrom(JAVA_BYTE, text);
    }

    private static MemorySegment name(Arena arena, String text) {
        return text == null ? MemorySegment.NULL : arena.allocateFrom(text);
    }

    private static MethodHandle function(String name, MemoryLayout result, MemoryLayout... parameters) {
        MemorySegment found = LIBRARY.find(name).orElseThrow(() -> new UnsatisfiedLinkError(name));
        FunctionDescriptor type =
                result == null ? FunctionDescriptor.ofVoid(parameters) : FunctionDescriptor.of(result, parameters);
        return Linker.nativeLinker().downcallHandle(found, type);
    }

    @FunctionalInterface
    private interface Use<T> {
        T call(Arena arena) throws Throwable;
    }

    /** Memory that lasts for one call of a function. */
    private static <T> T in(Use<T> use) {
        try (Arena arena = Arena.ofConfined()) {
            return use.call(arena);
        } catch (RuntimeException | Error thrown) {
            throw thrown;
        } catch (Throwable checked) {
            throw new IllegalStateException(checked);
        }
    }
}
