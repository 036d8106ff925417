import com.atriptech.postbooking.AtlasException;
import com.atriptech.postbooking.Client;
import com.atriptech.postbooking.Reply;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** The caller of the vectors and stories through examples/java; README.md has the protocol. */
public final class Caller {
    private static final InputStream IN = new BufferedInputStream(System.in);
    private static final OutputStream OUT = new BufferedOutputStream(System.out);

    private static String line() throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int b = IN.read(); b != '\n'; b = IN.read()) {
            if (b < 0) {
                return null;
            }
            text.write(b);
        }
        return text.toString(StandardCharsets.US_ASCII);
    }

    private static void write(String head, byte[] json, byte[] raw) throws IOException {
        OUT.write((head + "\n").getBytes(StandardCharsets.US_ASCII));
        OUT.write(json);
        OUT.write(raw == null ? new byte[0] : raw);
        OUT.flush();
    }

    public static void main(String[] args) throws Exception {
        write("ready", new byte[0], null);
        for (String line = line(); line != null; line = line()) {
            String[] words = line.split(" ");
            byte[][] texts = new byte[4][];
            for (int i = 0; i < 4; i++) {
                texts[i] = IN.readNBytes(Integer.parseInt(words[i + 2]));
            }
            String operation = new String(texts[0], StandardCharsets.UTF_8);
            int times = Integer.parseInt(words[1]);
            if (words[0].equals("READS") || words[0].equals("FORGET")) {
                String made = words[0].equals("READS") ? reads(times, operation, texts[1], texts[2]) : forget(times, texts[1]);
                byte[] json = made.getBytes(StandardCharsets.US_ASCII);
                write("0 0 - - " + json.length + " -1 0", json, null);
                continue;
            }
            Reply reply = answer(words[0], times, operation, texts[1], texts[2], texts[3]);
            // The queue stays.
            long leaked = Math.max(Client.liveHandles() - 1, 0);
            write(reply.status() + " " + reply.outcome().ordinal() + " " + reply.httpStatus() + " " + reply.vendorStatus()
                    + " " + reply.bytes().length + " " + (reply.raw() == null ? -1 : reply.raw().length) + " " + leaked,
                    reply.bytes(), reply.raw());
        }
    }

    private static Reply answer(String verb, int times, String operation, byte[] config, byte[] request, byte[] options)
            throws Exception {
        switch (verb) {
            case "VALIDATE":
                return Client.validate(operation, request);
            case "DESCRIBE":
                return Client.describe(operation.isEmpty() ? null : operation);
            case "LOCAL":
                return Client.localAsync(operation, request, options).join();
            default:
        }
        try (Client client = new Client(config)) {
            if (verb.equals("LEAVE")) {
                client.callAsync(operation, request);
                Thread.sleep(times);
                System.exit(0);
            }
            if (verb.equals("CANCEL")) {
                CompletableFuture<Reply> future = client.callAsync(operation, request);
                CompletableFuture.delayedExecutor(times, TimeUnit.MILLISECONDS).execute(() -> future.cancel(true));
                try {
                    return future.join();
                } catch (CompletionException e) {
                    throw (AtlasException) e.getCause();
                }
            }
            Reply reply = null;
            for (int i = 0; i < times; i++) {
                reply = client.replyAsync(operation, request, options).join();
            }
            return reply;
        } catch (AtlasException refused) {
            return refused.reply();
        }
    }

    /** Makes clients that nobody closes; the handles that are left once they were collected. */
    @SuppressWarnings("resource")
    private static String forget(int times, byte[] config) throws Exception {
        for (int i = 0; i < times; i++) {
            new Client(config);
        }
        for (int i = 0; i < 50 && Client.liveHandles() > 2; i++) {
            System.gc();
            Thread.sleep(20);
        }
        return "{\"live\":" + Client.liveHandles() + "}";
    }

    /** In virtual threads where there are such, else as futures. */
    private static String reads(int times, String operation, byte[] config, byte[] request) throws Exception {
        try (Client client = new Client(config)) {
            AtomicLong gap = new AtomicLong();
            AtomicLong ticks = new AtomicLong();
            AtomicLong ok = new AtomicLong();
            ExecutorService virtual = virtualThreads();
            Thread platform = new Thread(() -> tick(gap, ticks));
            if (virtual == null) {
                platform.start();
                List<CompletableFuture<Reply>> futures = new ArrayList<>();
                for (int i = 0; i < times; i++) {
                    futures.add(client.replyAsync(operation, request, null));
                }
                futures.forEach(one -> ok.addAndGet(one.join().ok() ? 1 : 0));
                platform.interrupt();
                platform.join();
            } else {
                Future<?> other = virtual.submit(() -> tick(gap, ticks));
                List<Future<?>> threads = new ArrayList<>();
                for (int i = 0; i < times; i++) {
                    threads.add(virtual.submit(() -> {
                        ok.addAndGet(client.replyAsync(operation, request, null).join().ok() ? 1 : 0);
                    }));
                }
                for (Future<?> one : threads) {
                    one.get();
                }
                other.cancel(true);
            }
            return "{\"ok\":" + ok + ",\"gapMs\":" + gap + ",\"ticks\":" + ticks + "}";
        }
    }

    /** Another thread, virtual or not: how often it ran, and the longest time for which it did not. */
    private static void tick(AtomicLong gap, AtomicLong ticks) {
        long last = System.nanoTime();
        try {
            while (true) {
                Thread.sleep(5);
                long now = System.nanoTime();
                gap.set(Math.max(gap.get(), (now - last) / 1_000_000 - 5));
                last = now;
                ticks.incrementAndGet();
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    /** By reflection, since this is compiled for Java 17; null before Java 21. */
    private static ExecutorService virtualThreads() throws Exception {
        try {
            return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (NoSuchMethodException before21) {
            return null;
        }
    }
}
