# Voids an order: quotation, submit, and after a lost answer the question whether it happened.
#   perl void.pl BASE_URL ORDER_NO
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use AtlasPostbooking;

sub void {
    my ($client, $order) = @_;
    my $quote = $client->call(voidQuotation => { orderNo => $order })->data;
    print "comes back: @{ $quote->{voidFareAmount} }{qw(estimatedRefundAmount currency)}\n";
    my $offer = $quote->{voidOfferId};
    my $done = eval { $client->call(void => { orderNo => $order, voidOfferId => $offer }) };
    if ($done) {
        print "voided: ", $done->data->{voidCode}, "\n";
        return 0;
    }
    die $@ unless ref $@ && $@->isa('AtlasPostbooking::OutcomeUnknown');
    print "unknown: asking whether it happened\n";
    for (1 .. 5) {
        my $listed = $client->reply(queryVoidOrders => { orderNo => $order })->data;
        my ($found) = grep { ($_->{voidOfferId} // '') eq $offer } @{ $listed && $listed->{voidOrders} || [] };
        if ($found) {
            print "it happened: $found->{voidCode}\n";
            return 0;
        }
        select undef, undef, undef, 0.2;
    }
    print "still unknown: nothing is sent again\n";
    return 3;
}

my ($base_url, $order) = @ARGV;
my $code = eval { void(AtlasPostbooking->new({ baseUrl => $base_url, clientId => 'demo', clientSecret => 'demo' }), $order) };
if (!defined $code) {
    print "not voided: $@";
    $code = 1;
}
exit $code;
