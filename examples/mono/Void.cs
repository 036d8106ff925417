// Voids an order: quotation, submit, and after a lost answer the question whether it happened.
//   mcs Void.cs AtlasPostbooking.cs && mono Void.exe BASE_URL ORDER_NO
using System;
using System.Text;
using System.Threading.Tasks;
using AtlasPostbooking;

static class Program {
    static int Main(string[] args) {
        try {
            return Void(args[0], args[1]).GetAwaiter().GetResult();
        } catch (AtlasException error) {
            Console.WriteLine("not voided: " + error.Message);
            return 1;
        }
    }

    static async Task<int> Void(string baseUrl, string order) {
        using (var client = new Client("{\"baseUrl\":\"" + baseUrl + "\",\"clientId\":\"demo\",\"clientSecret\":\"demo\"}")) {
            var thisOrder = "{\"orderNo\":\"" + order + "\"}";
            var quote = await client.CallAsync(Operation.VoidQuotation, thisOrder);
            var amount = quote.Get("/data/voidFareAmount/estimatedRefundAmount");
            Console.WriteLine("comes back: " + amount + " " + quote.Get("/data/voidFareAmount/currency"));
            var offer = quote.Get("/data/voidOfferId");
            try {
                var request = "{\"orderNo\":\"" + order + "\",\"voidOfferId\":\"" + offer + "\"}";
                var done = await client.CallAsync(Operation.Void, request);
                Console.WriteLine("voided: " + done.Get("/data/voidCode"));
                return 0;
            } catch (OutcomeUnknownException) {
                Console.WriteLine("unknown: asking whether it happened");
            }
            for (var i = 0; i < 5; i++) {
                var listed = await client.ReplyAsync(Operation.QueryVoidOrders, Encoding.UTF8.GetBytes(thisOrder));
                for (var j = 0; j < listed.Count("/data/voidOrders"); j++) {
                    if (listed.Get("/data/voidOrders/" + j + "/voidOfferId") != offer) continue;
                    Console.WriteLine("it happened: " + listed.Get("/data/voidOrders/" + j + "/voidCode"));
                    return 0;
                }
                await Task.Delay(200);
            }
            Console.WriteLine("still unknown: nothing is sent again");
            return 3;
        }
    }
}
