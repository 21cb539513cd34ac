package wire

import (
	"bytes"
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/pushbridge/pushbridge/plugins/backend"
	pb "github.com/pushbridge/pushbridge/plugins/proto/backendpb"
)

// kept is a stream that keeps what is sent, as bytes.
type kept struct {
	grpc.ServerStream
	messages [][]byte
}

func (k *kept) Context() context.Context { return context.Background() }

func (k *kept) Send(m *pb.GetResponse) error {
	data, err := proto.Marshal(m)
	k.messages = append(k.messages, data)
	return err
}

// FuzzItems tries that items come out as they went in, in messages that are
// not too large.
func FuzzItems(f *testing.F) {
	f.Add([]byte("body"), uint32(10), uint8(3))
	f.Add([]byte{}, uint32(chunkSize), uint8(2))
	f.Add([]byte("x"), uint32(2*chunkSize+1), uint8(4))
	f.Fuzz(func(t *testing.T, seed []byte, size uint32, count uint8) {
		body := append(bytes.Repeat([]byte("x"), int(size%(3<<20))), seed...)
		stream := &kept{}
		out := itemSender{stream: stream}
		for n := range count {
			it := backend.Item{ID: backend.ItemID([]byte{n + 1}), Revision: "r", Body: body[:len(body)*int(n+1)/int(count)]}
			if err := out.add(fetchedToProto(backend.Fetched{Item: it})); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.flush(); err != nil {
			t.Fatal(err)
		}
		var in itemReceiver
		n := 0
		for _, data := range stream.messages {
			if len(data) > MaxMessage {
				t.Errorf("a message has %d bytes, the limit is %d", len(data), MaxMessage)
			}
			msg := new(pb.GetResponse)
			if err := proto.Unmarshal(data, msg); err != nil {
				t.Fatal(err)
			}
			err := in.receive(msg, func(p *pb.Fetched) error {
				f := fetchedOf(p)
				n++
				if want := body[:len(body)*n/int(count)]; f.ID != backend.ItemID([]byte{byte(n)}) || !bytes.Equal(f.Body, want) {
					t.Errorf("item %d is %q with %d bytes, want %d", n, f.ID, len(f.Body), len(want))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := in.end(); err != nil || n != int(count) {
			t.Errorf("%d items come out, error %v; want %d", n, err, count)
		}
	})
}

// FuzzReceive tries that no plugin, whatever it sends, gets an item over the
// limit past us.
func FuzzReceive(f *testing.F) {
	one, _ := proto.Marshal(&pb.GetResponse{Items: []*pb.Fetched{{Id: []byte("a"), Body: []byte("x"), More: true}}})
	two, _ := proto.Marshal(&pb.GetResponse{Items: []*pb.Fetched{{Body: []byte("y")}, {Id: []byte("b"), Error: &pb.Error{Kind: 99}}}})
	f.Add(one, two)
	f.Add(two, one)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var in itemReceiver
		for _, data := range [][]byte{a, b, b} {
			msg := new(pb.GetResponse)
			if proto.Unmarshal(data, msg) != nil {
				return
			}
			err := in.receive(msg, func(p *pb.Fetched) error {
				f := fetchedOf(p)
				if f.Err != nil && (f.Body != nil || f.Revision != "" || f.MediaType != "") {
					t.Errorf("an unreadable item has %+v, want its ID alone", f.Item)
				}
				if len(f.Body) > backend.MaxItemSize {
					t.Errorf("a body has %d bytes", len(f.Body))
				}
				return nil
			})
			if err != nil {
				return
			}
		}
	})
}
