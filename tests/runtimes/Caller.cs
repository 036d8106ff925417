// The caller of the vectors and stories through examples/mono; README.md has the protocol.
using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using AtlasPostbooking;

static class Caller {
    static readonly Stream In = new BufferedStream(Console.OpenStandardInput()), Out = new BufferedStream(Console.OpenStandardOutput());

    static string Line() {
        var text = new StringBuilder();
        for (int b; (b = In.ReadByte()) != 10; text.Append((char)b)) if (b < 0) return null;
        return text.ToString();
    }

    static byte[] Read(int size) {
        var bytes = new byte[size];
        for (int at = 0, n; at < size; at += n) if ((n = In.Read(bytes, at, size - at)) == 0) throw new EndOfStreamException();
        return bytes;
    }

    static void Write(string head, byte[] json, byte[] raw) {
        var bytes = Encoding.ASCII.GetBytes(head + "\n");
        Out.Write(bytes, 0, bytes.Length);
        Out.Write(json, 0, json.Length);
        if (raw != null) Out.Write(raw, 0, raw.Length);
        Out.Flush();
    }

    static Reply Answer(string verb, int times, string operation, byte[] config, byte[] request, byte[] options, out string made) {
        made = null;
        if (verb == "VALIDATE") return Atlas.Validate(operation, request);
        if (verb == "DESCRIBE") return Atlas.Describe(operation == "" ? null : operation);
        if (verb == "LOCAL") return Atlas.LocalAsync(operation, request, options).Result;
        if (verb == "FORGET") {
            made = Forget(times, config);
            return null;
        }
        Client client;
        try {
            client = new Client(config);
        } catch (AtlasException refused) {
            return refused.Reply;
        }
        using (client) {
            if (verb == "READS") {
                long gap = 0, ticks = 0;
                var watch = Stopwatch.StartNew();
                // On the pool of threads, which the calls in flight leave free.
                var other = new Timer(_ => {
                    gap = Math.Max(gap, watch.ElapsedMilliseconds - 5);
                    watch.Restart();
                    ticks++;
                }, null, 5, 5);
                var replies = Task.WhenAll(Enumerable.Range(0, times).Select(_ => client.ReplyAsync(operation, request)).ToArray()).Result;
                made = "{\"ok\":" + replies.Count(one => one.Ok) + ",\"gapMs\":" + gap + ",\"ticks\":" + ticks + "}";
                other.Dispose();
                foreach (var one in replies) one.Dispose();
                return null;
            }
            if (verb == "LEAVE") {
                client.ReplyAsync(operation, request);
                Thread.Sleep(times);
                Environment.Exit(0);
            }
            if (verb == "CANCEL") {
                using (var after = new CancellationTokenSource(times)) return client.ReplyAsync(operation, request, null, after.Token).Result;
            }
            Reply reply = null;
            for (; times > 0; times--) {
                if (reply != null) reply.Dispose();
                reply = client.ReplyAsync(operation, request, options).Result;
            }
            return reply;
        }
    }

    // Makes clients that nobody closes; the handles that are left once they were collected.
    static string Forget(int times, byte[] config) {
        // On a stack of its own, which the conservative collector does not see afterwards.
        var maker = new Thread(() => { for (var i = 0; i < times; i++) new Client(config); });
        maker.Start();
        maker.Join();
        for (var i = 0; i < 50 && Atlas.LiveHandles > 2; i++) {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(20);
        }
        return "{\"live\":" + Atlas.LiveHandles + "}";
    }

    static void Main() {
        Write("ready", new byte[0], null);
        for (string line; (line = Line()) != null;) {
            var words = line.Split(' ');
            var texts = words.Skip(2).Select(size => Read(int.Parse(size))).ToArray();
            string made;
            var reply = Answer(words[0], int.Parse(words[1]), Encoding.UTF8.GetString(texts[0]), texts[1], texts[2], texts[3], out made);
            if (made != null) {
                Write("0 0 - - " + made.Length + " -1 0", Encoding.ASCII.GetBytes(made), null);
                continue;
            }
            byte[] json = reply.Bytes, raw = reply.Raw;
            var head = string.Join(" ", reply.StatusCode, (int)reply.Outcome, reply.HttpStatus, reply.VendorStatus,
                json.Length, raw == null ? -1 : raw.Length);
            reply.Dispose();
            // The queue stays, and a cancel token is freed behind the task that ends.
            var leaked = words[0] == "CANCEL" || Atlas.LiveHandles == 0 ? 0 : (long)Atlas.LiveHandles - 1;
            Write(head + " " + leaked, json, raw);
        }
    }
}
