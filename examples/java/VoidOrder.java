import com.atriptech.postbooking.AtlasException;
import com.atriptech.postbooking.Client;
import com.atriptech.postbooking.Operation;
import com.atriptech.postbooking.OutcomeUnknownException;
import com.atriptech.postbooking.Types;
import java.util.Map;

/** Voids an order: quotation, submit, and after a lost answer the question whether it happened. */
public final class VoidOrder {
    private VoidOrder() {
    }

    /** java VoidOrder BASE_URL ORDER_NO */
    public static void main(String[] args) throws InterruptedException {
        try (Client client = new Client(Map.of("baseUrl", args[0], "clientId", "demo", "clientSecret", "demo"))) {
            System.exit(voidOrder(client, args[1]));
        } catch (AtlasException refused) {
            System.out.println("not voided: " + refused.getMessage());
            System.exit(1);
        }
    }

    private static int voidOrder(Client client, String order) throws InterruptedException {
        var quote = client.call(Operation.VOID_QUOTATION, new Types.VoidQuotationRequest(order))
                .data(Types.VoidQuotationReply.class);
        var money = quote.voidFareAmount();
        System.out.println("comes back: " + money.estimatedRefundAmount() + " " + money.currency());
        try {
            var done = client.call(Operation.VOID, new Types.VoidRequest(order, quote.voidOfferId()));
            System.out.println("voided: " + done.data(Types.VoidReply.class).voidCode());
            return 0;
        } catch (OutcomeUnknownException lost) {
            System.out.println("unknown: asking whether it happened");
        }
        for (int i = 0; i < 5; i++) {
            var reply = client.replyAsync(Operation.QUERY_VOID_ORDERS, Map.of("orderNo", order), null).join();
            var listed = reply.ok() ? reply.data(Types.QueryVoidOrdersReply.class).voidOrders() : null;
            for (var one : listed == null ? java.util.List.<Types.VoidOrder>of() : listed) {
                if (quote.voidOfferId().equals(one.voidOfferId())) {
                    System.out.println("it happened: " + one.voidCode());
                    return 0;
                }
            }
            Thread.sleep(200);
        }
        System.out.println("still unknown: nothing is sent again");
        return 3;
    }
}
