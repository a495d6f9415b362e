# edu: registers, MSI, DMA both ways.
machine vfio
guest "card edu $(guest_card 1234:11e8)"
