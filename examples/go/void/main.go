// Voids an order: quotation, submit, and after a lost answer the question whether it happened.
//
//	void BASE_URL ORDER_NO
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	atlas "atlas-postbooking"
)

func main() {
	code, err := void(context.Background(), os.Args[1], os.Args[2])
	if err != nil {
		fmt.Println("not voided:", err)
		code = 1
	}
	os.Exit(code)
}

func void(ctx context.Context, baseURL, order string) (int, error) {
	client, err := atlas.New(map[string]string{"baseUrl": baseURL, "clientId": "demo", "clientSecret": "demo"})
	if err != nil {
		return 2, err
	}
	defer client.Close()
	reply, err := client.Call(ctx, atlas.OpVoidQuotation, atlas.VoidQuotationRequest{OrderNo: &order})
	if err != nil {
		return 1, err
	}
	var quote atlas.VoidQuotationReply
	if err := reply.Data(&quote); err != nil {
		return 2, err
	}
	fmt.Println("comes back:", *quote.VoidFareAmount.EstimatedRefundAmount, *quote.VoidFareAmount.Currency)

	reply, err = client.Call(ctx, atlas.OpVoid, atlas.VoidRequest{OrderNo: &order, VoidOfferId: quote.VoidOfferId})
	var unknown *atlas.OutcomeUnknown
	if err == nil {
		var done atlas.VoidReply
		err = reply.Data(&done)
		fmt.Println("voided:", *done.VoidCode)
		return 0, err
	}
	if !errors.As(err, &unknown) {
		return 1, err
	}
	fmt.Println("unknown: asking whether it happened")
	for i := 0; i < 5; i++ {
		reply, err := client.Call(ctx, atlas.OpQueryVoidOrders, atlas.QueryVoidOrdersRequest{OrderNo: &order})
		var listed atlas.QueryVoidOrdersReply
		if err == nil && reply.Data(&listed) == nil {
			for _, one := range listed.VoidOrders {
				if one.VoidOfferId != nil && *one.VoidOfferId == *quote.VoidOfferId {
					fmt.Println("it happened:", *one.VoidCode)
					return 0, nil
				}
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	fmt.Println("still unknown: nothing is sent again")
	return 3, nil
}
