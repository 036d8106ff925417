<?php
// The caller of the vectors and stories through examples/php; README.md has the protocol.
declare(strict_types=1);

use AtlasPostbooking\{AtlasException, Cancel, Client, Library, Reply};

require __DIR__ . '/../../examples/php/AtlasPostbooking.php';

function answer(string $verb, int $times, string $operation, string $config, string $request, string $options): Reply|array
{
    $queue = Client::queue();
    switch ($verb) {
        case 'VALIDATE':
            return Library::validate($operation, $request);
        case 'DESCRIBE':
            return Library::describe($operation === '' ? null : $operation);
        case 'FORGET':
            // Clients that nobody closes.
            for ($i = 0; $i < $times; $i++) {
                new Client($config);
            }
            return ['live' => Library::c()->apb_live_handles()];
        case 'LOCAL':
            return $queue->wait($queue->start(null, $operation, $request, $options));
    }
    try {
        $client = new Client($config);
    } catch (AtlasException $e) {
        return $e->reply;
    }
    if ($verb === 'READS') {
        $tags = [];
        $ok = $gap = $ticks = 0;
        $last = hrtime(true);
        for ($i = 0; $i < $times; $i++) {
            $tags[] = $queue->start($client, $operation, $request);
        }
        while ($tags) {
            $reply = $queue->wait(end($tags), 0.005);
            if ($reply !== null) {
                $ok += $reply->ok() ? 1 : 0;
                array_pop($tags);
            }
            $now = hrtime(true);
            if ($now - $last >= 5_000_000) {
                [$gap, $last, $ticks] = [max($gap, intdiv($now - $last, 1_000_000) - 5), $now, $ticks + 1];
            }
        }
        return ['ok' => $ok, 'gapMs' => $gap, 'ticks' => $ticks];
    }
    if ($verb === 'LEAVE') {
        $queue->start($client, $operation, $request);
        usleep($times * 1000);
        exit(0);
    }
    if ($verb === 'CANCEL') {
        $cancel = new Cancel();
        $tag = $queue->start($client, $operation, $request, null, $cancel);
        $queue->wait($tag, $times / 1000);
        $cancel->set();
        return $queue->wait($tag);
    }
    for ($i = 0; $i < $times; $i++) {
        $reply = $client->reply($operation, $request, $options);
    }
    return $reply;
}

echo "ready\n";
while (($line = fgets(STDIN)) !== false) {
    [$verb, $times, $a, $b, $c, $d] = explode(' ', trim($line));
    $texts = array_map(fn ($size) => (int) $size === 0 ? '' : stream_get_contents(STDIN, (int) $size), [$a, $b, $c, $d]);
    $reply = answer($verb, (int) $times, ...$texts);
    $leaked = max(Library::c()->apb_live_handles() - 1, 0);
    if (is_array($reply)) {
        $json = json_encode($reply);
        $text = '0 0 - - ' . strlen($json) . " -1 0\n$json";
    } else {
        $outcome = array_search($reply->outcome, Library::OUTCOME_NAMES, true);
        $text = "$reply->status $outcome $reply->httpStatus $reply->vendorStatus " . strlen($reply->json) . ' '
            . ($reply->raw === null ? -1 : strlen($reply->raw)) . " $leaked\n" . $reply->json . $reply->raw;
    }
    for ($at = 0; $at < strlen($text); $at += fwrite(STDOUT, substr($text, $at)));
    fflush(STDOUT);
    $reply = null;
}
