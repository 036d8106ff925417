<?php
// Voids an order: quotation, submit, and after a lost answer the question whether it happened.
//   php void.php BASE_URL ORDER_NO
declare(strict_types=1);

use AtlasPostbooking\{AtlasException, Client, OutcomeUnknown};

require __DIR__ . '/AtlasPostbooking.php';

function void_order(Client $client, string $orderNo): int
{
    $quote = $client->call('voidQuotation', ['orderNo' => $orderNo])->data();
    $money = $quote['voidFareAmount'];
    echo "comes back: {$money['estimatedRefundAmount']} {$money['currency']}\n";
    try {
        $done = $client->call('void', ['orderNo' => $orderNo, 'voidOfferId' => $quote['voidOfferId']])->data();
        echo "voided: {$done['voidCode']}\n";
        return 0;
    } catch (OutcomeUnknown) {
        echo "unknown: asking whether it happened\n";
    }
    for ($i = 0; $i < 5; $i++) {
        foreach ($client->reply('queryVoidOrders', ['orderNo' => $orderNo])->data()['voidOrders'] ?? [] as $one) {
            if ($one['voidOfferId'] === $quote['voidOfferId']) {
                echo "it happened: {$one['voidCode']}\n";
                return 0;
            }
        }
        usleep(200_000);
    }
    echo "still unknown: nothing is sent again\n";
    return 3;
}

try {
    exit(void_order(new Client(['baseUrl' => $argv[1], 'clientId' => 'demo', 'clientSecret' => 'demo']), $argv[2]));
} catch (AtlasException $e) {
    echo "not voided: {$e->getMessage()}\n";
    exit(1);
}
