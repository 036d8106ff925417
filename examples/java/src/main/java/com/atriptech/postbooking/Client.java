package com.atriptech.postbooking;

import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Post-booking calls of the Atlas flight API: refunds, voids, ancillaries. Any number of threads may use one client.
 *
 * <pre>{@code
 * try (Client client = new Client(Map.of("baseUrl", url, "clientId", id, "clientSecret", secret))) {
 *     var quote = client.call(Operation.VOID_QUOTATION, new Types.VoidQuotationRequest(order))
 *             .data(Types.VoidQuotationReply.class);
 *     client.call(Operation.VOID, new Types.VoidRequest(order, quote.voidOfferId()));
 * } catch (OutcomeUnknownException e) {
 *     // it may have been executed: query (e.next()), never submit again
 * }
 * }</pre>
 */
public final class Client implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long handle;
    private final Cleaner.Cleanable freed;

    /** A configuration: JSON as text or bytes, or an object that becomes it. */
    public Client(Object config) {
        byte[] text = encoded(config);
        long[] out = new long[2];
        if (NativeLibrary.clientNew(text, out) != Status.OK) {
            new Reply(out[1]).check();
        }
        long made = out[0];
        handle = made;
        freed = CLEANER.register(this, () -> NativeLibrary.clientFree(made));
    }

    /** Waits for a call; throws AtlasException or OutcomeUnknownException. Parks a virtual thread, does not pin it. */
    public Reply call(String operation, Object request) {
        try {
            return callAsync(operation, request).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof AtlasException refused) {
                throw refused;
            }
            throw e;
        }
    }

    /** As call(), in the background. cancel() of this future and of what depends on it cancels the call. */
    public CompletableFuture<Reply> callAsync(String operation, Object request) {
        return replyAsync(operation, request, null).thenApply(Reply::check);
    }

    /** As callAsync(), but a failure is a reply too. */
    public CompletableFuture<Reply> replyAsync(String operation, Object request, Object options) {
        return Completions.start(handle, operation, encoded(request), options == null ? null : encoded(options));
    }

    /** Operations that need no client, as parseWebhook. */
    public static CompletableFuture<Reply> localAsync(String operation, Object request, Object options) {
        return Completions.start(0, operation, encoded(request), options == null ? null : encoded(options));
    }

    /** Checks a request without sending it. */
    public static Reply validate(String operation, Object request) {
        return new Reply(NativeLibrary.validate(operation, encoded(request)));
    }

    /** JSON Schemas of an operation, or of all for null. */
    public static Reply describe(String operation) {
        return new Reply(NativeLibrary.describe(operation));
    }

    /** What is not freed. */
    public static long liveHandles() {
        return NativeLibrary.liveHandles();
    }

    /** Frees the client; calls in flight go on. */
    @Override
    public void close() {
        freed.clean();
    }

    private static byte[] encoded(Object value) {
        if (value instanceof byte[] bytes) {
            return bytes;
        }
        String text = value instanceof String given ? given : Reply.GSON.toJson(value);
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
